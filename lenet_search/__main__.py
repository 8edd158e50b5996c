"""`python -m lenet_search` is `lenet-search`."""

from lenet_search.cli import app

if __name__ == "__main__":  # worker processes import this module again, under another name
    app(prog_name="lenet-search")
