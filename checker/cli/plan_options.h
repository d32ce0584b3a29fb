// Options of every command that makes a plan: which remedies may be applied without asking again.
#pragma once

#include <boost/program_options.hpp>
#include <expected>
#include <string>
#include <vector>

#include "checker/planning/planner.h"

namespace cowvet {

// As on the command line; read_plan_options makes sense of it.
struct PlanTexts {
  std::vector<std::string> allow;   // --allow: remedy classes
  std::vector<std::string> choose;  // --choose: RULE=OUTCOME
  std::vector<std::string> only;    // --only: rules
  std::string donor;                // --donor: an image
  bool leaks_only = false;
};

void add_plan_options(boost::program_options::options_description& list, PlanTexts& texts);

// The error says which value is wrong, for people.
std::expected<PlanOptions, std::string> read_plan_options(const PlanTexts& texts);

// What a new header of `image` calls the data file that the user named: its name alone where it is beside the
// image, else its whole path. Empty: none was named.
std::string name_for_header(const std::string& image, const std::string& data_file);

}  // namespace cowvet
