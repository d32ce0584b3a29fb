#include "checker/triage/groups.h"

#include <algorithm>
#include <ranges>
#include <tuple>

#include "checker/report/verdict.h"

namespace cowvet {

void Groups::add(const ImageResult& result) {
  ++images_;
  ++by_outcome_[static_cast<std::size_t>(result.outcome)];
  Group& group = groups_[result.signature];
  const bool smaller =
      std::tie(result.size_bytes, result.path) < std::tie(group.smallest_bytes, group.smallest);
  if (group.images == 0 || smaller) {
    group.outcome = result.outcome;
    group.signature = result.signature;
    group.smallest = result.path;
    group.smallest_bytes = result.size_bytes;
  }
  ++group.images;
}

std::vector<Group> Groups::sorted() const {
  const auto values = groups_ | std::views::values;
  std::vector<Group> groups(values.begin(), values.end());
  std::ranges::sort(groups, [](const Group& a, const Group& b) {
    return std::tie(a.outcome, b.images, a.signature) < std::tie(b.outcome, a.images, b.signature);
  });
  return groups;
}

int Groups::exit_status() const {
  int status = kExitSound;
  for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome)
    if (by_outcome_[outcome] != 0)
      status = worse_exit_status(status, exit_status_of(static_cast<Outcome>(outcome)));
  return status;
}

}  // namespace cowvet
