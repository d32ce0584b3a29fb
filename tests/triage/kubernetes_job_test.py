#!/usr/bin/python3
"""Holds the example of a Kubernetes Job to what Kubernetes takes for a Job, and the numbers in it to each other.

The first judge is the client of Kubernetes (Debian: python3-kubernetes), whose classes are made from the API's own schema:
what it does not know is lost on the way through them, and what it demands and does not find is an error. The second one is
a schema of ours that is narrower: an indexed Job, and no field that the example has no use for.
Usage: kubernetes_job_test.py JOB.yaml
"""
import copy
import json
import sys
import types

import jsonschema
import kubernetes.client
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


def is_job_of_kubernetes(job):
    """As the client reads it from a server and sends it to one."""
    client = kubernetes.client.ApiClient()
    try:
        read = client.deserialize(types.SimpleNamespace(data=json.dumps(job)), "V1Job")
    except ValueError:
        return False
    return client.sanitize_for_serialization(read) == job


def check(job):
    """Raises ValidationError or AssertionError."""
    assert is_job_of_kubernetes(job), "Kubernetes would not take it as it is"
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
    for change in (lambda j: j["spec"].update(completionsMode="Indexed"),
                   lambda j: j["spec"].update(completions="many"),
                   lambda j: j["spec"].pop("template"),
                   lambda j: j["spec"]["template"]["spec"]["containers"][0].pop("name"),
                   lambda j: j["spec"]["template"]["spec"]["containers"][0].update(volumeMount=[])):
        changed = copy.deepcopy(job)
        change(changed)
        assert not is_job_of_kubernetes(changed), changed
    assert refuses(job, lambda j: j["spec"].update(completions=15))
    assert refuses(job, lambda j: j["spec"].update(completionsMode="Indexed"))
    assert refuses(job, lambda j: j["spec"]["template"]["spec"].update(restartPolicy="Always"))
    assert refuses(job, lambda j: j["spec"]["template"]["spec"]["volumes"].pop())


main()
