#include "checker/analysis/passes.h"

namespace cowvet {

void load_extensions(Context& context) {
  (void)context;
}

}  // namespace cowvet
