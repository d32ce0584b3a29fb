#!/usr/bin/python3
"""Holds the example of a Kubernetes Job to the structure of an indexed Job, and the numbers in it to each other.

The schema is ours, after the reference of batch/v1; fields that it does not name are refused, so that a misspelt one is found.
Usage: kubernetes_job_test.py JOB.yaml
"""
import copy
import sys

import jsonschema
import yaml


def record(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def list_of(items):
    return {"type": "array", "items": items, "minItems": 1}


NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?([kMGT]i?|m)?$"}
FLAG = {"type": "boolean"}
AMOUNTS = record(cpu=QUANTITY, memory=QUANTITY)
CONTAINER = record(
    ["name", "image"], name=NAME, image=TEXT, command=list_of(TEXT), args=list_of(TEXT),
    resources=record(requests=AMOUNTS, limits=AMOUNTS),
    securityContext=record(allowPrivilegeEscalation=FLAG, readOnlyRootFilesystem=FLAG,
                           capabilities=record(drop=list_of(TEXT))),
    volumeMounts=list_of(record(["name", "mountPath"], name=NAME, mountPath=TEXT, readOnly=FLAG)))
VOLUME = record(["name", "persistentVolumeClaim"], name=NAME,
                persistentVolumeClaim=record(["claimName"], claimName=NAME, readOnly=FLAG))
POD = record(["restartPolicy", "containers"], restartPolicy={"enum": ["Never", "OnFailure"]},
             securityContext=record(runAsNonRoot=FLAG, runAsUser=COUNT),
             containers=list_of(CONTAINER), volumes=list_of(VOLUME))
JOB = record(
    ["apiVersion", "kind", "metadata", "spec"], apiVersion={"const": "batch/v1"}, kind={"const": "Job"},
    metadata=record(["name"], name=NAME),
    spec=record(["completionMode", "completions", "template"], completionMode={"const": "Indexed"}, completions=COUNT,
                parallelism=COUNT, backoffLimit={"type": "integer", "minimum": 0},
                template=record(["spec"], spec=POD)))


def check(job):
    """Raises ValidationError or AssertionError."""
    jsonschema.Draft202012Validator.check_schema(JOB)
    jsonschema.validate(job, JOB, cls=jsonschema.Draft202012Validator)
    spec = job["spec"]
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    words = container["args"][-1].split()
    assert words[1].endswith("/triage-shard") and '"$((JOB_COMPLETION_INDEX + 1))"' in container["args"][-1]
    assert words[-3:] == [str(spec["completions"]), "/corpus", "/results"], "the number of parts differs"


def refuses(job, change):
    changed = copy.deepcopy(job)
    change(changed)
    try:
        check(changed)
    except (jsonschema.ValidationError, AssertionError):
        return True
    return False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = yaml.safe_load(file)
    check(job)
    assert refuses(job, lambda j: j["spec"].update(completions=15))
    assert refuses(job, lambda j: j["spec"].update(completionsMode="Indexed"))
    assert refuses(job, lambda j: j["spec"]["template"]["spec"].update(restartPolicy="Always"))
    assert refuses(job, lambda j: j["spec"]["template"]["spec"]["volumes"].pop())


main()
