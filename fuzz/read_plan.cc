// Any text is a plan or an error; what was read as a plan is written and read again as the same.
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "checker/planning/plan_file.h"
#include "fuzz/bounds.h"

namespace {

std::string text_of(const cowvet::Plan& plan) {
  std::ostringstream out;
  cowvet::write_plan(plan, out);
  return out.str();
}

// A plan may say in a few letters that much is written ("00*4294967296"): that is what it asks for, and no
// fault of the reader.
bool repeats_much(std::string_view text) {
  for (std::size_t at = text.find('*'); at != text.npos; at = text.find('*', at + 1))
    if (text.substr(at + 1, 7).find_first_not_of("0123456789") == text.npos) return true;
  return false;
}

}  // namespace

void cowvet::fuzz::run_input(std::span<const std::uint8_t> bytes) {
  const std::string input(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (repeats_much(input)) return;
  std::istringstream in(input);
  const auto plan = cowvet::read_plan(in);
  if (!plan) return;
  const std::string text = text_of(*plan);
  std::istringstream again_in(text);
  const auto again = cowvet::read_plan(again_in);
  if (!again || text_of(*again) != text) std::abort();
}
