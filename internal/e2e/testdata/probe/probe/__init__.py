"""An application that tells how it finds itself."""
