// A plan in short, for people.
#pragma once

#include <string>

#include "checker/planning/plan.h"

namespace cowvet {

// What is going to be done and why, what the guest notices, what is left, and what consent is missing. Names
// from images are escaped.
std::string plan_text(const Plan& plan);

}  // namespace cowvet
