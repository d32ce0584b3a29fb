#include "checker/report/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/report/escape.h"
#include "checker/report/numbers.h"

namespace cowvet {
namespace {

bool fired(const Report& report, RuleId id) {
  return std::ranges::find(report.totals, id, &RuleTotal::rule) != report.totals.end();
}

// What a repair of the rule would have to give up is what is at risk.
Verdict damage_behind(Remedy remedy) {
  switch (remedy) {
    case Remedy::safe:
      return Verdict::metadata_damaged;
    case Remedy::metadata:
      return Verdict::auxiliary_damaged;
    case Remedy::none:
    case Remedy::choice:
    case Remedy::lossy:
      return Verdict::guest_data_at_risk;
  }
  return Verdict::guest_data_at_risk;
}

bool is_policy(RuleId id) {
  return id->id.starts_with("policy/");
}

bool is_refused(const Report& report) {
  return std::ranges::any_of(report.totals, [](const RuleTotal& total) {
    return is_policy(total.rule) && total.worst >= Severity::corruption;
  });
}

std::string refused_sentence(const Report& report, std::string_view name) {
  std::uint64_t reasons = 0;
  for (const RuleTotal& total : report.totals)
    if (is_policy(total.rule) && total.worst >= Severity::corruption) reasons += total.findings;
  return fmt::format("{} is refused by the policy ({}). No damage was found in it.", name,
                     counted(reasons, "reason", "reasons"));
}

std::string sound_sentence(const Report& report, std::string_view name, bool strict) {
  const std::uint64_t notices = report.counters.notices;
  if (strict && notices != 0)
    return fmt::format("{} has no damage, but {}, and with --strict {}.", name,
                       counted(notices, "thing is out of order", "things are out of order"),
                       notices == 1 ? "it counts as an error" : "they count as errors");
  if (verdict_of(report) == Verdict::partly_examined)
    return fmt::format(
        "{}: No errors were found on the image, but the data file, which holds the guest's data, was "
        "not examined.",
        name);
  return fmt::format("{} is sound: No errors were found on the image.", name);
}

std::string leak_sentence(const Report& report, std::string_view name) {
  const std::uint64_t leaks = report.counters.leaks;
  const unsigned bits = report.header.cluster_bits;
  const std::string size =
      leaks <= ~std::uint64_t{0} >> bits ? fmt::format(" ({})", human_bytes(leaks << bits)) : "";
  if (report.kept_leaks != 0)
    return fmt::format(
        "{} has no damage, but {} in use without a reference, and a former repair kept {} of them: {} the "
        "true data of a guest range that reads something else.",
        name, counted(leaks, "cluster" + size + " is", "clusters" + size + " are"), report.kept_leaks,
        report.kept_leaks == 1 ? "it may be" : "they may be");
  return fmt::format("{} wastes space, but guest data is not at risk: {} marked as in use without need.",
                     name, counted(leaks, "cluster" + size + " is", "clusters" + size + " are"));
}

std::string damage_sentence(const Report& report, std::string_view name, Verdict damage) {
  const std::string errors = counted(report.counters.corruptions, "error", "errors");
  switch (damage) {
    case Verdict::guest_data_at_risk:
      return fmt::format("{} is corrupt ({}): guest data is damaged or at risk.", name, errors);
    case Verdict::auxiliary_damaged:
      return fmt::format(
          "{} is damaged ({}): the guest's disk is not affected as far as it was examined, but other "
          "content of the image (snapshots, bitmaps) is.",
          name, errors);
    case Verdict::metadata_damaged:
      return fmt::format(
          "{} is damaged ({}): its metadata is wrong. Guest data is not affected as far as it was "
          "examined, but writing to the image can destroy it.",
          name, errors);
    case Verdict::leaks:
      return leak_sentence(report, name);
    default:
      return "";
  }
}

// The detail of the first finding that says what could not be examined.
std::string unchecked_detail(const Report& report) {
  const auto at = std::ranges::find(report.findings, Severity::unchecked, &Finding::severity);
  return at == report.findings.end() ? "" : fmt::format(": {}", escape_for_terminal(at->detail));
}

std::string incomplete_sentence(const Report& report, std::string_view name) {
  if (!report.header_usable)
    return fmt::format("{} could not be examined{}.", name, unchecked_detail(report));
  const Verdict damage = damage_of(report);
  const std::string rest = damage == Verdict::sound
                               ? "What could be examined is in order."
                               : damage_sentence(report, "What could be examined", damage);
  return fmt::format("{} could not be examined completely{}. {}", name, unchecked_detail(report), rest);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::sound:
      return "sound";
    case Verdict::partly_examined:
      return "partly-examined";
    case Verdict::leaks:
      return "leaks";
    case Verdict::metadata_damaged:
      return "metadata-damaged";
    case Verdict::auxiliary_damaged:
      return "auxiliary-damaged";
    case Verdict::guest_data_at_risk:
      return "guest-data-at-risk";
    case Verdict::incomplete:
      return "incomplete";
    case Verdict::repair_unfinished:
      return "repair-unfinished";
    case Verdict::not_qcow2:
      return "not-qcow2";
    case Verdict::refused:
      return "refused";
  }
  return "";
}

Verdict damage_of(const Report& report) {
  const Counters& counters = report.counters;
  if (counters.corruptions == 0) return counters.leaks == 0 ? Verdict::sound : Verdict::leaks;
  Verdict worst = Verdict::leaks;
  bool only_refused = true;
  for (const RuleTotal& total : report.totals) {
    if (is_policy(total.rule)) continue;
    only_refused = only_refused && total.worst <= Severity::leak;
    // A rule of corruption whose worst finding is "unchecked" may have damage behind it.
    const bool damage = total.worst == Severity::corruption ||
                        (total.worst == Severity::unchecked && total.rule->severity == Severity::corruption);
    if (damage) worst = std::max(worst, damage_behind(total.rule->remedy));
  }
  if (only_refused) return counters.leaks == 0 ? Verdict::sound : Verdict::leaks;
  return worst == Verdict::leaks ? Verdict::guest_data_at_risk : worst;
}

Verdict verdict_of(const Report& report) {
  if (!report.unfinished_journal.empty()) return Verdict::repair_unfinished;
  // A file whose first bytes cannot be read may be anything, and so may one that changes.
  if (!report.is_qcow2 && !fired(report, rule("file/unreadable")) && !fired(report, rule("file/changed")))
    return Verdict::not_qcow2;
  if (report.worst == Severity::unchecked) return Verdict::incomplete;
  const Verdict damage = damage_of(report);
  if ((damage == Verdict::sound || damage == Verdict::leaks) && is_refused(report)) return Verdict::refused;
  if (damage == Verdict::sound && fired(report, rule("data-file/not-examined")))
    return Verdict::partly_examined;
  return damage;
}

int exit_status_of(const Report& report, Judging judging) {
  const Verdict verdict = verdict_of(report);
  if (verdict == Verdict::not_qcow2) return judging.must_be_qcow2 ? kExitIncomplete : kExitNotQcow2;
  if (verdict == Verdict::incomplete || verdict == Verdict::repair_unfinished) return kExitIncomplete;
  if (judging.strict && fired(report, rule("data-file/not-examined"))) return kExitIncomplete;
  if (report.counters.corruptions != 0) return kExitCorrupt;
  if (judging.strict && report.counters.notices != 0) return kExitCorrupt;
  return report.counters.leaks != 0 ? kExitLeaks : kExitSound;
}

std::string verdict_sentence(const Report& report, Judging judging) {
  const std::string name = escape_for_terminal(report.image_name);
  switch (const Verdict verdict = verdict_of(report)) {
    case Verdict::not_qcow2:
      return fmt::format("{} is not a qcow2 image, so it was not examined.", name);
    case Verdict::incomplete:
      return incomplete_sentence(report, name);
    case Verdict::repair_unfinished:
      return fmt::format(
          "{} must not be used: a repair of it was interrupted, and it may be in between its old and its new "
          "state ({} is there).",
          name, escape_for_terminal(report.unfinished_journal));
    case Verdict::refused:
      return refused_sentence(report, name);
    case Verdict::sound:
    case Verdict::partly_examined:
      return sound_sentence(report, name, judging.strict);
    default:
      return damage_sentence(report, name, verdict);
  }
}

int worse_exit_status(int a, int b) {
  constexpr int kOrder[] = {kExitIncomplete, kExitCorrupt, kExitNotQcow2, kExitLeaks, kExitSound};
  return *std::ranges::find_if(kOrder, [=](int status) { return status == a || status == b; });
}

}  // namespace cowvet
