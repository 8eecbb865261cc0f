# The PEX as one file. PEX_VENV=0: run as `pex -o app.pex` makes it, without --venv.
ARG BASE
FROM $BASE
COPY app.pex /
ENV PEX_VENV=0
ENTRYPOINT ["/app.pex"]
