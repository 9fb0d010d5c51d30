"""The public client against a live dock: every one of its methods once, in `.venv-engine`.

Started by test_client.py with a URL, an account's address and token, and a folder that holds two
learnware archives. Prints one JSON object of what each method gave. Standard library and the
engine alone; whatever fails ends the process with its traceback.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import types
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path

#: What release 0.4.0 imports to train language models, which no client does.
NOT_NEEDED = ("trl", "peft", "datasets", "lm_eval", "lm_eval.models", "lm_eval.models.huggingface")


class StandIn(types.ModuleType):
    """A package that is not installed: whatever is imported from it is an empty class."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__path__ = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stand_in_for(names: tuple[str, ...]) -> None:
    absent = {name for name in names if "." not in name and not importlib.util.find_spec(name)}
    for name in names:
        if name.partition(".")[0] in absent:
            sys.modules[name] = StandIn(name)


def main(url: str, email: str, token: str, folder: Path) -> dict[str, object]:
    import numpy as np
    from learnware.client import LearnwareClient, SemanticSpecificationKey
    from learnware.market import BaseUserInfo
    from learnware.specification import RKMETableSpecification

    import learnware

    told: dict[str, object] = {"release": learnware.__version__}
    semantics = json.loads((folder / "semantics.json").read_text())
    stranger, client = LearnwareClient(url), LearnwareClient(url)

    told["is_connected"] = stranger.is_connected()
    told["not_a_dock"] = LearnwareClient(url + "/nothing").is_connected()
    told["wrong_login"] = failed(lambda: stranger.login(email, "f" * 32))
    told["must_log_in"] = failed(stranger.list_learnware)
    client.login(email, token)
    told["is_login"] = [stranger.is_login(), client.is_login()]
    told["values"] = {
        key.value: stranger.list_semantic_specification_values(key)
        for key in SemanticSpecificationKey
    }

    near, far = str(folder / "near.zip"), str(folder / "far.zip")
    # Larger than one piece, so that it comes in several.
    told["pieces"] = -(-Path(near).stat().st_size // (1024 * 1024))
    ids = [client.upload_learnware(near, semantics["near"])]
    ids.append(client.upload_learnware(far, semantics["far"]))
    told["ids"] = ids
    told["again"] = failed(lambda: client.upload_learnware(near, semantics["near"]))
    told["verified"] = {id: verified(client, id) for id in ids}
    told["semantic"] = stranger.get_semantic_specification(ids[0])

    def search(stat=None, semantic=None, **paging):
        info = BaseUserInfo(semantic_spec=semantic or {}, stat_info=stat or {})
        return client.search_learnware(info, **paging)

    specification = RKMETableSpecification(cuda_idx=-1)
    specification.load(str(folder / "mine.json"))
    told["by_words"] = search(semantic=semantics["query"])
    told["by_nothing"] = search(page_size=10000)
    told["second_page"] = search(page_size=1, page_index=1)
    told["by_data"] = search({"RKMETableSpecification": specification})

    client.download_learnware(ids[0], str(folder / "got.zip"))
    with zipfile.ZipFile(folder / "got.zip") as got:
        told["downloaded"] = sorted(got.namelist())
    records = np.load(folder / "records.npy")
    for name, given in (
        ("by_id", {"learnware_id": ids[0]}),
        ("by_path", {"learnware_path": str(folder / "got.zip")}),
    ):
        loaded = client.load_learnware(**given)
        told[name] = [loaded.id, np.asarray(loaded.predict(records)).tolist()]
    told["several"] = [one.id for one in client.load_learnware(learnware_id=ids)]

    client.update_learnware(ids[0], semantics["renamed"])
    told["renamed"] = client.get_semantic_specification(ids[0])["Name"]["Values"]
    client.update_learnware(ids[1], semantics["far"], str(folder / "farther.zip"))
    told["updated"] = verified(client, ids[1])
    told["not_mine"] = failed(lambda: client.update_learnware("00000099", semantics["far"]))
    told["not_there"] = failed(
        lambda: client.download_learnware("00000099", str(folder / "none.zip"))
    )

    client.delete_learnware(ids[1])
    told["left"] = [one["learnware_id"] for one in client.list_learnware()]
    told["deleted_twice"] = failed(lambda: client.delete_learnware(ids[1]))
    client.logout()
    told["logged_out"] = failed(client.list_learnware)
    client.cleanup()
    return told


def verified(client, id: str) -> str:
    """Poll as clients do, and return the state that a verification ended in."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        listed = {one["learnware_id"]: one["verify_status"] for one in client.list_learnware()}
        if listed[id] in ("SUCCESS", "FAIL"):
            return listed[id]
        time.sleep(0.1)
    return "late"


def failed(call) -> str:
    try:
        call()
    except Exception as error:
        return str(error)
    return ""


if __name__ == "__main__":
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    stand_in_for(NOT_NEEDED)
    json.dump(main(*sys.argv[1:4], Path(sys.argv[4])), replies)
    replies.close()
