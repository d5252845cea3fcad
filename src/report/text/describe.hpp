#pragma once

#include <string>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// How important an event is to a person.
enum class Weight {
  kDetail,  // only if everything is logged
  kNews,    // a change of state
  kWarning,
  kError,
};

struct Description {
  Weight weight = Weight::kDetail;
  std::string text;  // one clean line without job or time
};

/// An event in words. Status and Summary have their own renderers: their text is empty here.
Description describe(const EventBody& body);

}  // namespace pgsluice::report
