// Any text is a plan or an error; what was read as a plan is written and read again as the same.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "checker/planning/plan_file.h"

namespace {

std::string text_of(const cowvet::Plan& plan) {
  std::ostringstream out;
  cowvet::write_plan(plan, out);
  return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  const auto plan = cowvet::read_plan(in);
  if (!plan) return 0;
  const std::string text = text_of(*plan);
  std::istringstream again_in(text);
  const auto again = cowvet::read_plan(again_in);
  if (!again || text_of(*again) != text) std::abort();
  return 0;
}
