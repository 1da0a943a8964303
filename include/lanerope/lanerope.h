// SPDX-License-Identifier: Apache-2.0
#pragma once

// The whole public interface of lanerope. examples/four_lanes.cpp is the shortest program that uses it.

#include "lanerope/answer_format.h"     // IWYU pragma: export
#include "lanerope/answers.h"           // IWYU pragma: export
#include "lanerope/calibration.h"       // IWYU pragma: export
#include "lanerope/chat_style.h"        // IWYU pragma: export
#include "lanerope/coupling.h"          // IWYU pragma: export
#include "lanerope/devices.h"           // IWYU pragma: export
#include "lanerope/engine.h"            // IWYU pragma: export
#include "lanerope/engine_options.h"    // IWYU pragma: export
#include "lanerope/errors.h"            // IWYU pragma: export
#include "lanerope/hub.h"               // IWYU pragma: export
#include "lanerope/inspect.h"           // IWYU pragma: export
#include "lanerope/lane_result.h"       // IWYU pragma: export
#include "lanerope/machine.h"           // IWYU pragma: export
#include "lanerope/measure.h"           // IWYU pragma: export
#include "lanerope/model.h"             // IWYU pragma: export
#include "lanerope/model_info.h"        // IWYU pragma: export
#include "lanerope/names.h"             // IWYU pragma: export
#include "lanerope/page.h"              // IWYU pragma: export
#include "lanerope/policy.h"            // IWYU pragma: export
#include "lanerope/policy_act.h"        // IWYU pragma: export
#include "lanerope/policy_choice.h"     // IWYU pragma: export
#include "lanerope/prompt.h"            // IWYU pragma: export
#include "lanerope/request.h"           // IWYU pragma: export
#include "lanerope/request_defaults.h"  // IWYU pragma: export
#include "lanerope/resolve.h"           // IWYU pragma: export
#include "lanerope/result.h"            // IWYU pragma: export
#include "lanerope/sampling.h"          // IWYU pragma: export
#include "lanerope/selection.h"         // IWYU pragma: export
#include "lanerope/service.h"           // IWYU pragma: export
#include "lanerope/service_observer.h"  // IWYU pragma: export
#include "lanerope/sleep.h"             // IWYU pragma: export
#include "lanerope/step_watch.h"        // IWYU pragma: export
#include "lanerope/token.h"             // IWYU pragma: export
#include "lanerope/tool.h"              // IWYU pragma: export
#include "lanerope/tool_calls.h"        // IWYU pragma: export
#include "lanerope/tool_run.h"          // IWYU pragma: export
#include "lanerope/workers.h"           // IWYU pragma: export
