"""podman as the tests run it (internal/testenv): no network, and none of its conveniences that Kubernetes lacks."""

import contextlib
import json
import subprocess
import sys
import tempfile

LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


def out(*argv):
    return subprocess.run(["podman", *map(str, argv)], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def build(tag, context, dockerfile, **args):
    values = [f"--build-arg={name}={value}" for name, value in args.items()]
    # --layers=false: no stage stays behind. Standard output has nothing but the report.
    argv = ["podman", "build", "-q", "--layers=false", "--network=none", "--tls-verify=false", *values, "-t", tag, "-f", str(dockerfile), str(context)]
    subprocess.run(argv, check=True, stdout=sys.stderr)


def command(image):
    config = json.loads(out("image", "inspect", image))[0]["Config"]
    return (config.get("Entrypoint") or []) + (config.get("Cmd") or [])


def remove(images):
    subprocess.run(["podman", "rmi", "-f", *images], check=True, stdout=subprocess.DEVNULL)


class Container:
    """One container in which a starter waits for jobs."""

    def __init__(self, image, python, starter, flags):
        self.image, self.dir = image, tempfile.TemporaryDirectory(prefix="pexko-bench-")
        argv = ["podman", "run", "--rm", "-i", "--cidfile", self.dir.name + "/id", "--network=none", "--runtime=runc", "--passwd=false", *LIMITS, *flags,
                "--entrypoint", json.dumps([python, "-I", "-B", "-u", "-c", starter.read_text()]), image]
        self.process = subprocess.Popen(argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def start(self, argv, port, **env):
        """Starts a command and returns what the starter says of it."""
        try:
            print(json.dumps({"argv": argv, "port": port, "env": env}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.image}: the container ended")
        return json.loads(answer)

    def pid(self):
        """The process id of the starter on this machine."""
        with open(self.dir.name + "/id") as file:
            return int(out("inspect", "--format", "{{.State.Pid}}", file.read()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.dir.cleanup()


@contextlib.contextmanager
def containers(images, python, starter, flags):
    """Containers by name, all running until the end of the block."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(contextlib.closing(Container(image, python, starter, flags))) for name, image in images.items()}
