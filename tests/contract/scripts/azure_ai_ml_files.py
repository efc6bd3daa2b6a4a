"""Which of many job and deployment documents azure-ai-ml loads: JSON [[kind, document], …] to JSON [accepted, …]."""

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from azure.ai.ml import load_job, load_online_deployment

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
LOADERS = {"online deployment": load_online_deployment}


def accepts(kind: str, document: object, folder: Path) -> bool:
    """Whether the SDK loads a document from a file."""
    file = folder / "document.yml"
    file.write_text(json.dumps(document), encoding="utf-8")
    try:
        LOADERS.get(kind, load_job)(file)
    except Exception:
        return False
    return True


with tempfile.TemporaryDirectory() as name:
    (Path(name) / "src").mkdir()
    for file in ("a.py", "score.py"):
        (Path(name) / "src" / file).touch()
    print(json.dumps([accepts(kind, document, Path(name)) for kind, document in json.load(sys.stdin)]))
