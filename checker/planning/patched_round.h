// A round on the image as it would be with other bytes somewhere: for what only shows once a wrong pointer is
// out of the way. Nothing that is written there becomes part of the plan.
#pragma once

#include <vector>

#include "checker/planning/round.h"
#include "checker/planning/trial.h"

namespace cowvet {

class PatchedRound {
 public:
  // Costs an examination of the whole image. `now` must outlive this.
  PatchedRound(const Round& now, const std::vector<Patch>& patches);

  Round& round() { return round_; }

 private:
  const PatchedImage patched_;
  Progress unseen_;
  Context context_;
  Editor editor_;
  RoundNotes notes_;
  Round round_;
};

}  // namespace cowvet
