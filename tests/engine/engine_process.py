"""The public engine as a process: started by conftest.py in `.venv-engine`, asked over its pipes.

One request a line, `[name, arguments]` in JSON; one reply a line. Standard library and the engine
alone; what the engine prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path


def main() -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            reply = {"value": REQUESTS[name](**arguments)}
        except Exception:
            reply = {"error": traceback.format_exc()}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def generate(data: str, target: str, **options: object) -> None:
    """Make a table specification from an array of records, and save it."""
    import numpy as np
    from learnware.specification import generate_rkme_table_spec

    generate_rkme_table_spec(np.load(data), cuda_idx=-1, **options).save(target)


def load_and_save(class_name: str, source: str, target: str) -> dict[str, object]:
    """Load a file with the engine's own class and save it again."""
    spec = _load(class_name, source)
    spec.save(target)
    return {"shape": list(spec.get_z().shape), "weight": float(spec.get_beta().sum())}


def distances(class_name: str, pairs: list[list[str]]) -> list[float]:
    return [float(_load(class_name, left).dist(_load(class_name, right))) for left, right in pairs]


def relative_scores(distances: list[float]) -> list[float]:
    from learnware.market.easy.searcher import EasyStatSearcher

    return EasyStatSearcher._convert_dist_to_score(None, distances)


def check_semantic(semantic: dict[str, object]) -> list[object]:
    from learnware.market import EasySemanticChecker

    return list(EasySemanticChecker.check_semantic_spec(semantic))


def generate_semantic(**given: object) -> dict[str, object]:
    from learnware.specification import generate_semantic_spec

    return generate_semantic_spec(**given)


def try_learnware(archive: str, semantic: dict[str, object], data: str, target: str) -> dict:
    """Load a learnware with the engine's own loader, let its checkers see it, and predict."""
    import numpy as np
    from learnware.learnware import get_learnware_from_dirpath
    from learnware.market import EasySemanticChecker, EasyStatChecker

    folder = tempfile.mkdtemp()
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    learnware = get_learnware_from_dirpath("00000001", semantic, folder, ignore_error=False)
    semantic_check = EasySemanticChecker()(learnware)
    statistical_check = EasyStatChecker()(learnware)
    predicted = learnware.predict(np.load(data))
    np.save(target, np.asarray(predicted))
    kinds = sorted(learnware.get_specification().get_stat_spec())
    return {"semantic": semantic_check, "statistical": statistical_check, "kinds": kinds}


def template(archive: str, pickled: str, shapes: list[list[int]], stat: str) -> None:
    """Make a learnware with the engine's own template."""
    from learnware.tests.templates import LearnwareTemplate, PickleModelTemplate, StatSpecTemplate

    input_shape, output_shape = map(tuple, shapes)
    LearnwareTemplate.generate_learnware_zipfile(
        learnware_zippath=archive,
        model_template=PickleModelTemplate(
            pickle_filepath=pickled,
            model_kwargs={"input_shape": input_shape, "output_shape": output_shape},
        ),
        stat_spec_template=StatSpecTemplate(filepath=stat, type="RKMETableSpecification"),
        requirements=["scikit-learn"],
    )


def fit_and_pickle(data: str, target: str, predicted: str) -> None:
    """Fit a model, pickle it and save what it predicts for the records it was fitted on."""
    import pickle

    import numpy as np
    from sklearn.linear_model import Ridge

    records = np.load(data)
    model = Ridge().fit(records, records @ np.arange(1.0, records.shape[1] + 1))
    Path(target).write_bytes(pickle.dumps(model))
    np.save(predicted, model.predict(records))


def _load(class_name: str, source: str):
    import learnware.specification

    spec = getattr(learnware.specification, class_name)(cuda_idx=-1)
    spec.load(source)
    return spec


REQUESTS = {
    request.__name__: request
    for request in (
        generate,
        load_and_save,
        distances,
        relative_scores,
        check_semantic,
        generate_semantic,
        try_learnware,
        template,
        fit_and_pickle,
    )
}

if __name__ == "__main__":
    main()
