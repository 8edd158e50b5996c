"""What the package may never do, whoever wrote it: run what it reads, or listen to others than this machine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lenet_search"
FILES = sorted(PACKAGE.rglob("*.py"))
UNPICKLE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml"}
RUN = {"eval", "exec", "compile", "__import__"}
SHELL = {"system", "popen", "getoutput", "getstatusoutput"}
# Calls that are safe only with an argument, by their last name.
SAFE_WITH = {
    "load_model": ("safe_mode", True),
    "deserialize_keras_object": ("safe_mode", True),
    "read_array": ("allow_pickle", False),
}
EVERYWHERE = ("0.0.0.0", "::", "[::]")  # addresses that anybody can reach


def dangers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {each.name}" for each in node.names if each.name.split(".")[0] in UNPICKLE)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPICKLE:
            yield f"imports {node.module}"
        elif isinstance(node, ast.Constant) and node.value in EVERYWHERE:
            yield f"names the address {node.value}"
        elif isinstance(node, ast.Call):
            yield from _dangers_of_a_call(node)


def _dangers_of_a_call(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    name = called.rpartition(".")[2]
    given = {each.arg: each.value.value for each in node.keywords if isinstance(each.value, ast.Constant)}
    if called in RUN or (name in SHELL and called.startswith(("os.", "subprocess."))) or given.get("shell") is True:
        yield f"runs {ast.unparse(node)}"
    if called in ("np.load", "numpy.load", "np.lib.npyio.NpzFile") and given.get("allow_pickle") is not False:
        yield f"may unpickle: {ast.unparse(node)}"
    own = called == name  # a function of this package, whose own call is checked
    if name in SAFE_WITH and not own and "evaluate" not in called:
        argument, value = SAFE_WITH[name]
        if given.get(argument) is not value:
            yield f"is not safe without {argument}={value}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_is_read_is_run_or_unpickled_and_nothing_listens_to_everybody(path):
    assert not list(dangers(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "def f():\n    from yaml import load", "eval(x)", "exec(x)", "np.load(x)",
        "np.load(x, allow_pickle=True)", "np.load(x, allow_pickle=allowed)", "keras.models.load_model(x)",
        "keras.models.load_model(x, safe_mode=False)", "keras.saving.deserialize_keras_object(x)",
        "subprocess.run(x, shell=True)", "os.system(x)", "np.lib.format.read_array(x)", "server.bind(('0.0.0.0', 80))",
    ],
)  # fmt: skip
def test_this_check_sees_what_it_looks_for(code):
    assert list(dangers(ast.parse(code)))


def test_only_the_pipe_to_our_own_workers_carries_pickles():
    """`multiprocessing.Pipe` pickles; both ends belong to one command and a process that it has started.

    `crew/fleet` relays the bytes of such a pipe through Ray's own channel.
    """
    using = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("multiprocessing")
    }
    fleet = {"crew/fleet/courier.py", "crew/fleet/host.py"}
    assert using == {"crew/crew.py", "crew/handle.py", "crew/launcher.py", "crew/process.py", "crew/worker.py"} | fleet
