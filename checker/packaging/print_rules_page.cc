// Prints cowvet-rules(7).
#include <iostream>

#include "checker/report/rules_page.h"

int main() {
  std::cout << cowvet::rules_page(COWVET_VERSION) << std::flush;
  return std::cout.good() ? 0 : 1;
}
