"""`python -m lenet_search` is `lenet-search`."""

from lenet_search.cli import app

if __name__ == "__main__":
    app(prog_name="lenet-search")
