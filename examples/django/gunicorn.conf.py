# gunicorn reads this file in its working directory, /app.
import os

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
accesslog = "-"
# Nothing is written to the root filesystem: workers prove that they live by touching a file in memory, and there is
# no control socket in the home directory.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True
