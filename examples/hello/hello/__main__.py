import getpass
import platform
import sys
from importlib.resources import files


def main() -> None:
    template = files("hello").joinpath("greeting.txt").read_text(encoding="utf-8")
    print(template.format(name=" ".join(sys.argv[1:]) or "world"), end="")
    print(f"Python {platform.python_version()} on {platform.machine()}, as {getpass.getuser()}")


if __name__ == "__main__":
    main()
