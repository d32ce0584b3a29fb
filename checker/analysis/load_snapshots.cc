#include "checker/analysis/passes.h"

namespace cowvet {

void load_snapshots(Context& context) {
  (void)context;
}

}  // namespace cowvet
