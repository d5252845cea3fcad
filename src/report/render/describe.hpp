#pragma once

#include <string>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// How much a person wants to hear of an event.
enum class Weight {
  kDetail,  // only where everything is logged
  kNews,    // a change of state
  kWarning,
  kError,
};

struct Description {
  Weight weight = Weight::kDetail;
  std::string text;  // one clean line without job or time
};

/// An event in words. Status and Summary have renderers of their own: their text is empty here.
Description describe(const EventBody& body);

}  // namespace pgsluice::report
