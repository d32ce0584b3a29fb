// Uses the installed library only: prints the rules that an image breaks, and exits with the worst severity.
#include <checker/analysis/analyze.h>
#include <checker/device/file_device.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const auto image = cowvet::FileDevice::open(argv[1]);
  if (!image) {
    std::cerr << image.error().message << '\n';
    return 65;
  }
  const cowvet::Report report = cowvet::analyze({.image = **image, .open_data_file = {}, .open_backing = {}}, {});
  for (const cowvet::RuleTotal& total : report.totals) std::cout << total.rule->id << '\n';
  return static_cast<int>(report.worst);
}
