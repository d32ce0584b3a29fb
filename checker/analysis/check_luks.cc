#include "checker/analysis/passes.h"

namespace cowvet {

void check_luks(Context& context) {
  (void)context;
}

}  // namespace cowvet
