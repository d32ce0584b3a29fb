#include "checker/catalogue/catalogue.h"

namespace cowvet {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::notice: return "notice";
    case Severity::leak: return "leak";
    case Severity::corruption: return "corruption";
    case Severity::unchecked: return "unchecked";
  }
  return "";
}

std::string_view to_string(Remedy remedy) {
  switch (remedy) {
    case Remedy::none: return "none";
    case Remedy::safe: return "safe";
    case Remedy::metadata: return "metadata";
    case Remedy::choice: return "choice";
    case Remedy::lossy: return "lossy";
  }
  return "";
}

}  // namespace cowvet
