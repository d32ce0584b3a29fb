#include "checker/analysis/passes.h"

namespace cowvet {

void open_data_file(Context& context) {
  (void)context;
}

}  // namespace cowvet
