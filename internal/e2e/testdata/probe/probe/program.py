from probe.report import main


class Local:
    """A class of the main module: a spawned child finds it again only by running this file as `__mp_main__`."""

    def __init__(self, value):
        self.value = value


def doubled(local):
    return type(local).__module__, local.value * 2


if __name__ == "__main__":
    main(Local, doubled)
