#include "checker/analysis/passes.h"

namespace cowvet {

void check_references(Context& context) {
  (void)context;
}

}  // namespace cowvet
