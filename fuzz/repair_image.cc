// A sound image with damaged fields: it is examined, a repair is planned with all consents, rehearsed,
// applied, and the result examined again. The plan must hold what it says, of findings and of what the guest
// reads.
#include <cstdio>
#include <cstdlib>

#include "corpus/write_recipe.h"
#include "fuzz/bounds.h"
#include "fuzz/mutation.h"
#include "tests/matrix/judge.h"

void cowvet::fuzz::run_input(std::span<const std::uint8_t> input) {
  fuzz::Mutant mutant = fuzz::make_mutant(input);
  const matrix::Verdict verdict =
      matrix::judge(mutant.base->recipe, mutant.base->built, std::move(mutant.image));
  if (verdict.broken.empty()) return;
  const corpus::Recipe& recipe = mutant.base->recipe;
  const std::string text =
      corpus::recipe_of_damage(recipe, mutant.base->built, fuzz::make_mutant(input).image);
  for (const std::string& change : mutant.changes) std::fprintf(stderr, "# %s\n", change.c_str());
  std::fprintf(stderr, "%s\n", corpus::save_recipe(text).c_str());
  for (const std::string& broken : verdict.broken) std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
