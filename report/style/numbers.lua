-- How numbers are set, in text and tables alike: a true minus, and no line ends between a number and its unit, its
-- tolerance or its factor.
local units = pandoc.List { "s", "ms", "min", "h", "MB", "GB", "kB", "px", "mm", "million", "point", "points" }

local function between(before, after)
  local number = before:match("[%d)%]]$")
  if number and after:match("^%%") then return "\u{202f}" end
  local sign = after:match("^±") or after:match("^×") or before:match("±$") or before:match("×$")
  if sign or (number and units:includes((after:gsub("[.,;:)]+$", "")))) then return "\u{a0}" end
end

local function Inlines(list)
  for k, one in ipairs(list) do
    if one.t == "Str" then
      local text = one.text:gsub("^([(%[]?)%-(%d)", "%1\u{2212}%2"):gsub("(%d)%%", "%1\u{202f}%%")
      if text ~= one.text then list[k] = pandoc.Str(text) end
    end
  end
  for k = 2, #list - 1 do
    local before, gap, after = list[k - 1], list[k], list[k + 1]
    if (gap.t == "Space" or gap.t == "SoftBreak") and before.t == "Str" and after.t == "Str" then
      local sign = between(before.text, after.text)
      if sign then list[k] = pandoc.Str(sign) end
    end
  end
  return list
end

return { { Inlines = Inlines } }
