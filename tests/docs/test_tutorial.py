"""docs/tutorial.ipynb runs from top to bottom, and is what its script makes."""

from pathlib import Path
from typing import Any

import pytest

from tests.scripts import script

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
MAKE_TUTORIAL = script(ROOT / "docs" / "make_tutorial.py")


def test_the_file_is_what_the_script_makes() -> None:
    assert TUTORIAL.read_text("utf-8") == MAKE_TUTORIAL.text_of_notebook()


@pytest.mark.slow
def test_every_cell_runs_and_shows_what_the_text_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(TUTORIAL, as_version=4)
    nbformat.validate(notebook)
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    shown: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            kinds = output.get("data", {"text/plain": output.get("text", "")})
            shown.setdefault(cell.source.splitlines()[-1], {}).update(kinds)
    assert "<table>" in shown["run"]["text/html"]
    assert "image/svg+xml" in shown["run.plot_timeline()"]
    assert any("is gone: True" in str(kinds.get("text/plain")) for kinds in shown.values())
