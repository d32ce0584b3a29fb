#include "checker/planning/trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/passes.h"

namespace cowvet {
namespace {

// Each costs an examination of the whole image.
constexpr std::size_t kMostCandidates = 32;

std::string describe(const Candidate& candidate) {
  return fmt::format("={} ({}: {})", candidate.outcome, candidate.why,
                     candidate.score.is_perfect() ? "everything fits together"
                                                  : fmt::format("{} errors are left", candidate.score.all()));
}

void ask(Round& round, const Finding& finding, const std::vector<Candidate>& candidates) {
  std::string list;
  for (const Candidate& candidate : candidates) list += (list.empty() ? "" : ", ") + describe(candidate);
  round.consent_needed.insert(fmt::format("{}: several places are possible; needs --choose {} with one of {}",
                                          finding.rule->id, finding.rule->id, list));
}

}  // namespace

PatchedImage::PatchedImage(const Inputs& now, const std::vector<Patch>& patches)
    : image(now.image), inputs{image, now.open_data_file, now.open_backing} {
  for (const Patch& patch : patches) image.write(patch.offset, patch.bytes);
}

Score try_out(const Inputs& inputs, const Options& options, const std::vector<Patch>& patches, bool deep) {
  const PatchedImage tried(inputs, patches);
  Options of_trial = options;
  of_trial.guest_data = false;
  of_trial.deep = deep;
  of_trial.name_copied = true;
  of_trial.findings_per_rule = 1;
  Progress unseen;
  Context context(tried.inputs, of_trial, unseen);
  run_passes(context);
  if (!context.report.header_usable) return {.unchecked = Score::kUnusable};
  const Findings& found = context.findings;
  const std::uint64_t uncounted =
      found.total(rule("refcount/too-low")) + found.total(rule("l1/copied")) + found.total(rule("l2/copied"));
  return {.unchecked = found.total(Severity::unchecked),
          .errors = found.total(Severity::corruption) + found.total(Severity::leak) - uncounted,
          .uncounted = uncounted};
}

const Candidate* pick_perfect(const Round& round, std::vector<Candidate>& candidates) {
  if (candidates.size() > kMostCandidates) return nullptr;
  for (Candidate& candidate : candidates)
    candidate.score = try_out(round.context.inputs, round.context.options, candidate.patches);
  const auto is_perfect = [](const Candidate& candidate) { return candidate.score.is_perfect(); };
  const auto perfect = std::ranges::find_if(candidates, is_perfect);
  return std::ranges::count_if(candidates, is_perfect) == 1 ? &*perfect : nullptr;
}

const Candidate* pick(Round& round, const Finding& finding, std::vector<Candidate>& candidates) {
  if (candidates.empty()) return nullptr;
  const Candidate* perfect = pick_perfect(round, candidates);
  const std::string chosen = round.chosen(finding.rule, "");
  if (perfect && chosen.empty()) return perfect;
  const Score now = try_out(round.context.inputs, round.context.options, {});
  std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.score >= now; });
  const auto named = std::ranges::find(candidates, chosen, &Candidate::outcome);
  if (named != candidates.end()) return &*named;
  if (candidates.size() == 1) return candidates.data();
  if (candidates.size() > 1) ask(round, finding, candidates);
  return nullptr;
}

Step& apply_candidate(Round& round, const Finding& finding, const Candidate& candidate) {
  const bool chosen = round.chosen(finding.rule, "") == candidate.outcome;
  Step& step = round.editor.begin(finding.rule, chosen ? Remedy::choice : Remedy::safe, candidate.why);
  if (chosen) step.outcome = candidate.outcome;
  for (const Patch& patch : candidate.patches) round.editor.write(File::image, patch.offset, patch.bytes);
  return step;
}

}  // namespace cowvet
