"""Reads SARIF logs into the classes of sarif_om (Debian: python3-sarif-python-om), which Microsoft generates
from the schema: objects of unknown kind, unknown properties and missing ones are errors. Then holds the log to
what the standard says in words, and to the JSON schema (python3-jsonschema) where it is there: at the path
COWVET_SARIF_SCHEMA, or in the npm package @microsoft/jest-sarif, which .ci/install-packages installs.

read_sarif.py --schema        prints the path of the schema; fails where it is not there
read_sarif.py FILE            prints the number of results
read_sarif.py FILE IMAGE      also applies the fixes to IMAGE
"""

import base64
import json
import os
import re
import sys
import urllib.parse

import attr
import jsonschema
import sarif_om

# What kind of object a property holds, by object; lists hold several.
KINDS = {
    ("SarifLog", "runs"): "Run",
    ("Run", "tool"): "Tool",
    ("Run", "results"): "Result",
    ("Run", "artifacts"): "Artifact",
    ("Run", "invocations"): "Invocation",
    ("Invocation", "toolExecutionNotifications"): "Notification",
    ("Notification", "message"): "Message",
    ("Notification", "locations"): "Location",
    ("Tool", "driver"): "ToolComponent",
    ("ToolComponent", "rules"): "ReportingDescriptor",
    ("ReportingDescriptor", "shortDescription"): "MultiformatMessageString",
    ("ReportingDescriptor", "fullDescription"): "MultiformatMessageString",
    ("ReportingDescriptor", "help"): "MultiformatMessageString",
    ("ReportingDescriptor", "defaultConfiguration"): "ReportingConfiguration",
    ("ReportingDescriptor", "properties"): "PropertyBag",
    ("Artifact", "location"): "ArtifactLocation",
    ("Artifact", "properties"): "PropertyBag",
    ("Result", "message"): "Message",
    ("Result", "locations"): "Location",
    ("Result", "relatedLocations"): "Location",
    ("Result", "fixes"): "Fix",
    ("Result", "properties"): "PropertyBag",
    ("Location", "physicalLocation"): "PhysicalLocation",
    ("Location", "logicalLocations"): "LogicalLocation",
    ("Location", "message"): "Message",
    ("PhysicalLocation", "artifactLocation"): "ArtifactLocation",
    ("PhysicalLocation", "region"): "Region",
    ("Fix", "description"): "Message",
    ("Fix", "artifactChanges"): "ArtifactChange",
    ("ArtifactChange", "artifactLocation"): "ArtifactLocation",
    ("ArtifactChange", "replacements"): "Replacement",
    ("Replacement", "deletedRegion"): "Region",
    ("Replacement", "insertedContent"): "ArtifactContent",
}


def read(kind, value):
    if kind is None or kind == "PropertyBag":
        return value
    if isinstance(value, list):
        return [read(kind, item) for item in value]
    cls = getattr(sarif_om, kind)
    names = {a.metadata["schema_property_name"]: a.name for a in attr.fields(cls)}
    arguments = {}
    for key, item in value.items():
        if key not in names:
            raise ValueError(f"{kind} has no property {key}")
        if isinstance(item, dict) and (kind, key) not in KINDS and key not in ("partialFingerprints", "hashes"):
            raise ValueError(f"{kind}.{key}: which kind?")
        arguments[names[key]] = read(KINDS.get((kind, key)), item)
    return cls(**arguments)


def hold_to_words(run):
    rules = run.tool.driver.rules
    assert len({rule.id for rule in rules}) == len(rules)
    uris = {artifact.location.uri for artifact in run.artifacts}
    assert all(re.fullmatch(r"(file:///)?([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri) for uri in uris), uris
    for artifact in run.artifacts:
        assert artifact.roles == ["analysisTarget"]  # one of the values of section 3.24.6
        for algorithm, digest in (artifact.hashes or {}).items():
            assert algorithm == "sha-256" and re.fullmatch("[0-9a-f]{64}", digest)
    for notification in run.invocations[0].tool_execution_notifications:
        assert notification.level in ("note", "error")
        assert notification.message.text.strip()
        assert notification.locations[0].physical_location.artifact_location.uri
    for result in run.results:
        assert rules[result.rule_index].id == result.rule_id
        assert result.level in ("none", "note", "warning", "error")
        assert result.message.text.strip()
        for location in result.locations:
            region = location.physical_location.region
            # "byteLength ... 0 specifies an insertion point"; absent properties of a region default to -1.
            assert region is None or (region.byte_offset >= 0 and region.byte_length >= 0)


def apply_fixes(run, image):
    name = urllib.parse.quote(os.path.basename(image))
    with open(image, "r+b") as file:
        for result in run.results:
            for fix in result.fixes or []:
                for change in fix.artifact_changes:
                    assert change.artifact_location.uri.endswith(name)
                    data = bytearray(file.read())
                    end = len(data)
                    for replacement in reversed(change.replacements):
                        region = replacement.deleted_region
                        assert region.byte_offset + region.byte_length <= end, "regions overlap or lie outside"
                        end = region.byte_offset
                        data[end : end + region.byte_length] = base64.b64decode(
                            replacement.inserted_content.binary, validate=True
                        )
                    file.seek(0)
                    file.write(data)


def schema_path():
    package = "/usr/local/lib/cowvet-test/node_modules/@microsoft/jest-sarif"
    path = os.environ.get("COWVET_SARIF_SCHEMA", package + "/lib/schemas/sarif-2.1.0-rtm.5.json")
    return path if os.path.exists(path) else None


def hold_to_schema(document):
    if schema_path():
        with open(schema_path(), encoding="utf-8") as file:
            jsonschema.validate(document, json.load(file), format_checker=jsonschema.FormatChecker())


def main():
    if sys.argv[1] == "--schema":
        sys.exit(print(schema_path()) if schema_path() else "the schema of SARIF is not here")
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    hold_to_schema(document)
    log = read("SarifLog", document)
    assert log.version == "2.1.0" and len(log.runs) == 1
    hold_to_words(log.runs[0])
    if len(sys.argv) > 2:
        apply_fixes(log.runs[0], sys.argv[2])
    print(len(log.runs[0].results))


main()
