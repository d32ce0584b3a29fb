#include "repair/cli/outcome.h"

namespace cowvet {

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::nothing_to_do:
      return "nothing-to-do";
    case Ending::planned:
      return "planned";
    case Ending::refused:
      return "refused";
    case Ending::failed:
      return "failed";
    case Ending::repaired:
      return "repaired";
    case Ending::undone:
      return "undone";
    case Ending::taken_back:
      return "taken-back";
    case Ending::unfinished:
      return "unfinished";
  }
  return "";
}

int exit_status_of(const Outcome& outcome, Judging judging) {
  switch (outcome.ending) {
    case Ending::nothing_to_do:
    case Ending::planned:
      return outcome.found ? exit_status_of(*outcome.found, judging) : kExitIncomplete;
    case Ending::repaired:
    case Ending::undone:
      return outcome.left ? exit_status_of(*outcome.left, judging) : kExitIncomplete;
    case Ending::refused:
      return kExitRefused;
    case Ending::taken_back:
      return kExitTakenBack;
    case Ending::failed:
    case Ending::unfinished:
      return kExitIncomplete;
  }
  return kExitIncomplete;
}

}  // namespace cowvet
