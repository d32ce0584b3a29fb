#include "tests/matrix/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/planning/planner.h"
#include "corpus/examine.h"
#include "tests/matrix/guest_reader.h"
#include "tests/support/carry_out.h"

namespace cowvet::matrix {
namespace {

using corpus::BuiltImage;
using corpus::Recipe;

std::string describe(const std::vector<RuleTotal>& totals) {
  std::string text;
  for (const RuleTotal& total : totals) text += fmt::format("{} x{}; ", total.rule->id, total.total);
  return text;
}

std::expected<Plan, std::string> plan_for(const Recipe& recipe, const BuiltImage& built) {
  std::expected<Plan, std::string> plan;
  const PlanOptions options{.allow_metadata = true, .allow_lossy = true, .deep = true, .threads = 1};
  corpus::with_inputs(recipe, built, [&](const Inputs& inputs) { plan = make_plan(inputs, options); });
  return plan;
}

// Files that a plan makes longer than this, by a hole, are not made in memory, of which fuzz inputs have 64
// MiB.
constexpr std::uint64_t kMostBytes = std::uint64_t{32} << 20;

bool is_too_large(const Plan& plan) {
  return plan.image_bytes_after > kMostBytes || (plan.data_file && plan.data_file_bytes_after > kMostBytes);
}

// What the guest reads before and after, sector by sector, against what the steps announce.
class ViewJudge {
 public:
  ViewJudge(const BuiltImage& sound, const BuiltImage& before, const BuiltImage& after, const Plan& plan)
      : sound_(sound), before_(before), after_(after), plan_(plan) {}

  // The first difference that no step announces and that does not give the guest back what it once wrote;
  // empty: there is none.
  std::string run() const {
    if (!before_.is_usable()) return "";
    if (!after_.is_usable()) return "the header cannot be read any more";
    if (std::string difference =
            compare("", [](const GuestReader& reader, std::uint64_t guest) { return reader.active(guest); });
        !difference.empty())
      return difference;
    const auto owners = after_.owners();
    for (const std::string& owner : before_.owners()) {
      if (std::ranges::find(owners, owner) == owners.end()) continue;
      const auto read = [&owner](const GuestReader& reader, std::uint64_t guest) {
        return reader.snapshot(owner, guest);
      };
      if (std::string difference = compare(owner, read); !difference.empty()) return difference;
    }
    return "";
  }

 private:
  template <typename Read>
  std::string compare(const std::string& owner, Read read) const {
    constexpr std::uint64_t kMostGuestBytes = std::uint64_t{7} << 20;  // all disks of the matrix are smaller
    constexpr std::uint64_t kSector = 512;
    const std::uint64_t cluster = before_.cluster_bytes();
    if (cluster != after_.cluster_bytes()) return "";
    const std::uint64_t end = std::min(before_.size_bytes(), kMostGuestBytes);
    for (std::uint64_t guest = 0; guest < end; guest += cluster) {
      const auto old_bytes = read(before_, guest);
      if (!old_bytes) continue;
      const auto new_bytes = read(after_, guest);
      if (new_bytes && (*old_bytes == *new_bytes || *new_bytes == read(sound_, guest))) continue;
      for (std::uint64_t at = 0; at < std::min(cluster, end - guest); at += kSector) {
        const std::uint64_t length = std::min(kSector, end - guest - at);
        const bool same = new_bytes && std::equal(old_bytes->data() + at, old_bytes->data() + at + length,
                                                  new_bytes->data() + at);
        if (!same && !is_announced(owner, {guest + at, length}))
          return fmt::format("the guest reads {} at {:#x}{}{}, and no step says so",
                             new_bytes ? "other bytes" : "an error", guest + at, owner.empty() ? "" : " of ",
                             owner);
      }
    }
    return "";
  }

  bool is_announced(const std::string& owner, GuestRange range) const {
    return std::ranges::any_of(plan_.steps, [&](const Step& step) {
      return std::ranges::any_of(step.impact, [&](const GuestImpact& impact) {
        return impact.owner == owner && impact.range.offset <= range.offset &&
               range.offset + range.length <= impact.range.offset + impact.range.length;
      });
    });
  }

  GuestReader sound_;
  GuestReader before_;
  GuestReader after_;
  const Plan& plan_;
};

}  // namespace

Verdict judge(const Recipe& recipe, const BuiltImage& sound, BuiltImage damaged) {
  Verdict verdict;
  const Report report = corpus::examine(recipe, damaged, 1);
  verdict.noticed = describe(report.totals) != describe(corpus::examine(recipe, sound, 1).totals);

  const auto plan = plan_for(recipe, damaged);
  verdict.planned = plan.has_value();
  if (!plan) {
    if (report.header_usable) verdict.broken.push_back("no plan: " + plan.error());
    return verdict;
  }
  verdict.unfit = plan->unfit;
  verdict.is_too_large = is_too_large(*plan);
  if (!plan->unfit.empty() || verdict.is_too_large) return verdict;

  BuiltImage repaired = damaged;
  if (!carry_out(*plan, repaired.image, repaired.data_file)) {
    verdict.broken.push_back("the plan does not fit the image that it was made for");
    return verdict;
  }
  const Report again = corpus::examine(recipe, repaired, 1);
  if (describe(again.totals) != describe(plan->remaining))
    verdict.broken.push_back(
        fmt::format("left is {}, but the plan says {}", describe(again.totals), describe(plan->remaining)));
  if (std::string difference = ViewJudge(sound, damaged, repaired, *plan).run(); !difference.empty())
    verdict.broken.push_back(std::move(difference));
  verdict.is_clean = again.worst == Severity::notice;
  for (const RuleTotal& total : again.totals)
    if (total.worst > Severity::notice) verdict.left.emplace_back(total.rule->id);
  return verdict;
}

}  // namespace cowvet::matrix
