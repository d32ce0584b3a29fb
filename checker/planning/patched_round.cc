#include "checker/planning/patched_round.h"

#include "checker/analysis/passes.h"

namespace cowvet {

PatchedRound::PatchedRound(const Round& now, const std::vector<Patch>& patches)
    : patched_(now.context.inputs, patches),
      context_(patched_.inputs, now.context.options, unseen_),
      editor_(patched_.image, nullptr, 0),
      notes_{{}, now.released, now.held, now.found_before, now.found_so_far},
      round_(now.before, context_, editor_, now.options, notes_) {
  context_.released = notes_.released;
  context_.keep_references = true;
  run_passes(context_);
  context_.report = finish_report(context_);
  round_.findings = context_.report.findings;
}

}  // namespace cowvet
