#include "checker/report/advice.h"

namespace cowvet {

std::string_view advice_of(const RuleTotal& total, const Report& report) {
  // Space without references is not mere waste next to damage: it may hold what lost its reference.
  if (total.worst == Severity::leak && report.counters.corruptions != 0)
    return "Do not free this space before the damage is repaired: it may hold data that is missing "
           "elsewhere.";
  if (total.rule == rule("refcount/leak") && report.kept_leaks != 0)
    return "Look for what is missing in the guest before this space is freed; 'cowvet-repair --choose "
           "refcount/leak=free IMAGE' frees it.";
  // The policy allows it.
  if (total.rule == rule("policy/backing-file") && total.worst == Severity::notice)
    return "Make sure that it is the backing file that is meant. By itself this harms no guest.";
  return total.rule->advice;
}

}  // namespace cowvet
