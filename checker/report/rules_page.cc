#include "checker/report/rules_page.h"

#include <fmt/format.h>

#include "checker/catalogue/catalogue.h"
#include "checker/catalogue/choices.h"

namespace cowvet {
namespace {

// A line of text that roff takes as it is.
std::string plain(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

constexpr std::string_view kIntroduction = R"(.SH DESCRIPTION
Every finding of
.BR cowvet (1)
names one of these rules. The name is stable; what it stands for is the same in the text, in JSON and in SARIF.
.PP
The severity decides the exit status:
.B corruption
2,
.B leak
3,
.B unchecked
(something could not be examined) 1,
.B notice
0, or 2 with \-\-strict.
.PP
The remedy says what a repair may do:
.TP
.B safe
The guest\(aqs data and that of every snapshot stays bit for bit what it was, and nothing else is lost.
.TP
.B metadata
A snapshot, a bitmap or a name is given up; needs \-\-allow metadata.
.TP
.B choice
Several outcomes can be defended: one is the default, the others are taken by \-\-choose RULE=OUTCOME.
.TP
.B lossy
Some of the guest\(aqs data cannot be kept; the plan lists the ranges; needs \-\-allow lossy.
.TP
.B none
There is nothing to repair, or it cannot be done in place.
)";

std::string section_of(std::string_view id) {
  return std::string(id.substr(0, id.find('/')));
}

std::string choices_text(std::string_view id) {
  const auto choices = choices_of(RuleId(find_rule(id)));
  if (!choices) return "";
  std::string text;
  for (const Choice& choice : choices->outcomes)
    text +=
        fmt::format(".IP\n\\-\\-choose {}={}: {}\n", plain(id), plain(choice.name), plain(choice.meaning));
  if (!choices->others.empty())
    text += fmt::format(".IP\n\\-\\-choose {}=...: {}\n", plain(id), plain(choices->others));
  return text;
}

}  // namespace

std::string rules_page(std::string_view version) {
  std::string page = fmt::format(".TH COWVET\\-RULES 7 2026\\-11\\-22 \"cowvet {}\" \"cowvet\"\n", version);
  page += ".SH NAME\ncowvet\\-rules \\- what cowvet finds in qcow2 images\n";
  page += kIntroduction;
  std::string section;
  for (const Rule& rule : kRules) {
    if (section_of(rule.id) != section) {
      section = section_of(rule.id);
      page += fmt::format(".SH \"RULES: {}\"\n", plain(section));
    }
    page += fmt::format(".TP\n.B {}\n{} ({}, remedy: {})\n", plain(rule.id), plain(rule.condition),
                        to_string(rule.severity), to_string(rule.remedy));
    page += fmt::format(".IP\n{}\n{}\n.IP\nRequired by: {}\n", plain(rule.meaning), plain(rule.advice),
                        plain(rule.clause));
    page += choices_text(rule.id);
  }
  return page + ".SH SEE ALSO\n.BR cowvet (1),\n.BR cowvet\\-repair (8)\n";
}

}  // namespace cowvet
