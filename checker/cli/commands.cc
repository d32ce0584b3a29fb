#include "checker/cli/commands.h"

#include <algorithm>

namespace cowvet {
namespace {

constexpr Command kCommands[] = {
    {"check", "[OPTION]... IMAGE...", "examine images and say what is wrong with them", run_check},
    {"explain", "RULE... | --list", "say what a rule means and what to do about it", run_explain},
    {"help", "[COMMAND]", "say how cowvet, or one command of it, is used", run_help},
    {"map", "[OPTION]... IMAGE", "print where the guest's disk lies", run_map},
    {"pack", "-o PACK [OPTION]... IMAGE", "pack an image without guest data, for a bug report", run_pack},
    {"report", "-o FILE [OPTION]... IMAGE", "write a page about an image, with maps, for a browser",
     run_report},
    {"triage", "[OPTION]... PATH...", "sort thousands of images by what is wrong with them", run_triage},
    {"unpack", "-o IMAGE [OPTION]... PACK", "make an image from a pack", run_unpack},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto at = std::ranges::find(kCommands, name, &Command::name);
  return at == std::ranges::end(kCommands) ? nullptr : at;
}

}  // namespace cowvet
