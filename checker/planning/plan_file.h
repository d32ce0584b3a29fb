// Plans as text: JSON, one document a line, so that a long plan streams.
//
//   {"plan":2,"deep":false,"image":{"path":...,"size":...,"device":...,"inode":...,"metadata-hash":...},
//    "data-file":{...},"image-size-after":...,"data-file-size-after":...}
//   {"step":1,"rule":"l2/copied","remedy":"safe","outcome":"","why":"...","phase":"pointers","count":1,
//    "impact":[{"offset":...,"length":...,"owner":"","before":"...","after":"..."}],
//    "writes":[{"target":"image","offset":...,"old":"0000000000000000","new":"8000000000050000"}]}
//   ...
//   {"end":true,"steps":1,"remaining":[{"rule":...,"findings":...,"total":...}],"consent-needed":[...],
//    "kept":[{"offset":...,"length":...,"hash":...}],"unfit":""}
//
// Bytes are hexadecimal; what repeats, or is copied, is named shortly (content_text.h). Neither writing nor
// reading holds more than one write of the text in memory.
#pragma once

#include <expected>
#include <iosfwd>
#include <string>

#include "checker/planning/plan.h"

namespace cowvet {

void write_plan(const Plan& plan, std::ostream& out);

// The error names the line and what is wrong with it. A plan without its last line is refused, and one that
// writes far more than its files hold.
std::expected<Plan, std::string> read_plan(std::istream& in);

}  // namespace cowvet
