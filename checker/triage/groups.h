// Images that are alike, counted. Memory goes by the number of groups, not of images.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checker/triage/image_result.h"

namespace cowvet {

struct Group {
  Outcome outcome = Outcome::sound;
  std::string signature;
  std::uint64_t images = 0;
  std::string smallest;  // path; of several that are as small, the first in the order of names
  std::uint64_t smallest_bytes = 0;
};

// The same whatever order images are added in.
class Groups {
 public:
  void add(const ImageResult& result);

  // By outcome, then the largest group first.
  std::vector<Group> sorted() const;

  std::uint64_t images() const { return images_; }
  std::uint64_t images(Outcome outcome) const { return by_outcome_[static_cast<std::size_t>(outcome)]; }
  int exit_status() const;  // of the worst image

 private:
  std::map<std::string, Group, std::less<>> groups_;  // by signature
  std::uint64_t images_ = 0;
  std::array<std::uint64_t, kOutcomes> by_outcome_{};
};

}  // namespace cowvet
