"""optuna-dashboard in this process, asked as a browser asks it."""

import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
from optuna.artifacts import FileSystemArtifactStore

from lenet_search.storage import artifact_folder, open_storage


def dashboard(url: str) -> Any:
    """The dashboard on a storage; opened when it is asked for, as by a person who looks at a search."""
    from optuna_dashboard import wsgi

    def ask(*arguments: Any) -> Any:
        store = FileSystemArtifactStore(artifact_folder(url))
        return wsgi(open_storage(url, create=False), artifact_store=store)(*arguments)

    return ask


def answer(app: Any, path: str) -> tuple[int, bytes]:
    """Status and body of the answer to a GET request."""
    path, _, query = path.partition("?")
    environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(environ)
    said = []
    parts = app(environ, lambda status, headers, exc_info=None: said.append(status))
    try:
        return int(said[0].split()[0]), b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()  # the file that is sent


def detail(app: Any, study: optuna.Study) -> dict[str, Any]:
    """What the pages of a study show."""
    status, body = answer(app, f"/api/studies/{study._study_id}?after=0")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def artifacts(app: Any, study: optuna.Study) -> dict[int, dict[str, str]]:
    """The paths of the artifacts that the dashboard lists, by trial and file name."""
    return {
        trial["number"]: {
            one["filename"]: f"/artifacts/{study._study_id}/{trial['trial_id']}/{one['artifact_id']}"
            for one in trial["artifacts"]
        }
        for trial in detail(app, study)["trials"]
    }
