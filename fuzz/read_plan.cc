// Any text is a plan or an error; what was read as a plan is written and read again as the same.
#include <cstdlib>
#include <sstream>

#include "checker/planning/plan_file.h"
#include "fuzz/bounds.h"

namespace {

std::string text_of(const cowvet::Plan& plan) {
  std::ostringstream out;
  cowvet::write_plan(plan, out);
  return out.str();
}

}  // namespace

void cowvet::fuzz::run_input(std::span<const std::uint8_t> bytes) {
  const std::string input(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::istringstream in(input);
  const auto plan = cowvet::read_plan(in);
  if (!plan) return;
  const std::string text = text_of(*plan);
  std::istringstream again_in(text);
  const auto again = cowvet::read_plan(again_in);
  if (!again || text_of(*again) != text) std::abort();
}
