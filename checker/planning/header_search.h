// Header fields that decide how everything else is read: magic number, version, cluster_bits, refcount_order.
// One that is wrong makes a sound image look like noise, and yet costs nothing: with the right value
// everything fits together again, and hardly ever with another one.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "checker/planning/trial.h"

namespace cowvet {

struct HeaderChange {
  RuleId rule;
  Remedy remedy = Remedy::safe;
  Candidate candidate;
};

// What has to be changed in the header before anything else can be planned; nothing where it is right, or not
// certainly wrong. The error says why the image cannot be examined, and by which choice it could be.
std::expected<std::optional<HeaderChange>, std::string> search_header(const Context& before,
                                                                      const PlanOptions& options);

}  // namespace cowvet
