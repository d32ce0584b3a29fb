#include "checker/analysis/passes.h"

namespace cowvet {

void load_bitmaps(Context& context) {
  (void)context;
}

}  // namespace cowvet
