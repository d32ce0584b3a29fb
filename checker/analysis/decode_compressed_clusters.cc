#include "checker/analysis/passes.h"

namespace cowvet {

void decode_compressed_clusters(Context& context) {
  (void)context;
}

}  // namespace cowvet
