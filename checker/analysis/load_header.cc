#include "checker/analysis/passes.h"

namespace cowvet {

bool load_header(Context& context) {
  (void)context;
  return false;
}

}  // namespace cowvet
