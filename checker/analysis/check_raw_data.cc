#include "checker/analysis/passes.h"

namespace cowvet {

void check_raw_data(Context& context) {
  (void)context;
}

}  // namespace cowvet
