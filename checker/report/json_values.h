// The parts that JSON documents and JSON lines have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"
#include "checker/report/verdict.h"

namespace cowvet {

using OrderedJson = nlohmann::ordered_json;

// One line, or several with `indent`. ASCII only: no terminal takes anything in it for a command. Bytes that
// are no UTF-8 become U+FFFD.
std::string dump_json(const OrderedJson& value, int indent = -1);

OrderedJson finding_json(const Finding& finding);

OrderedJson evidence_json(const Evidence& evidence);

// Everything of a report but its findings. `summary` is one sentence.
OrderedJson head_json(const Report& report, Verdict verdict, int status, std::string_view summary);
OrderedJson head_json(const Report& report, Judging judging);

// The same for an image that could not even be opened.
OrderedJson failure_json(std::string_view image_name, std::string_view error);

}  // namespace cowvet
