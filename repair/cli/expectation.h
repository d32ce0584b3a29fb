// What the check after a repair is to find, as the note that travels with the journal: so that a repair that
// is finished after a crash is checked against its plan, too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"

namespace cowvet {

struct Expectation {
  bool deep = false;  // found by a check with --deep
  std::vector<RuleTotal> remaining = {};
};

// A line "expected" or "expected deep", then "RULE FINDINGS TOTAL" for each rule. Never empty.
std::string encode_expectation(const Expectation& expectation);

// Nothing: not understood, or of a rule that this program does not know.
std::optional<Expectation> decode_expectation(const std::string& note);

}  // namespace cowvet
