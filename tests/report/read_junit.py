"""Reads JUnit XML with junitparser (Debian: python3-junitparser), checks its counts against what is there, and
prints a line for each test: suite, name, and passed, failure or error."""

import sys

import junitparser

for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):
    found = {junitparser.Failure: 0, junitparser.Error: 0}
    tests = list(suite)
    for test in tests:
        assert len(test.result) < 2
        for result in test.result:
            assert result.message and result.type
            found[type(result)] += 1
        print(suite.name, test.name, type(test.result[0]).__name__.lower() if test.result else "passed", sep="|")
    assert (suite.tests, suite.failures, suite.errors) == (len(tests), *found.values())
