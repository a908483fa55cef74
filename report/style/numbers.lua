-- How numbers and signs are set, in text and tables alike: a true minus, no line ends between a number and its unit,
-- its tolerance or its factor, and a lone sign is no markup of Typst's.
local units = pandoc.List { "s", "ms", "min", "h", "MB", "GB", "kB", "px", "mm", "million", "point", "points" }

local function between(before, after)
  local number = before:match("[%d)%]]$")
  if number and after:match("^%%") then return "\u{202f}" end
  local sign = after:match("^±") or after:match("^×") or before:match("±$") or before:match("×$")
  if sign or (number and units:includes((after:gsub("[.,;:)]+$", "")))) then return "\u{a0}" end
end

-- pandoc leaves these signs as they are at the start of a table's cell, where Typst takes them for a heading or a list.
local function escaped(text)
  local sign, number = text:match("^[=+/-]+$"), text:match("^(%d+)%.$")
  return sign and sign:gsub(".", "\\%0") or number and number .. "\\."
end

-- To read an inline's text costs more than all else here, and to hand back a list as much again: what has not changed stays.
local function Inlines(list)
  local texts, changed = {}, false
  for k, one in ipairs(list) do
    local text = one.text
    texts[k] = text
    local raw = text and FORMAT == "typst" and escaped(text)
    local set = text and text:gsub("^([(%[]?)%-(%d)", "%1\u{2212}%2"):gsub("(%d)%%", "%1\u{202f}%%")
    if (raw or set ~= text) and one.t == "Str" then
      list[k] = raw and pandoc.RawInline("typst", raw) or pandoc.Str(set)
      texts[k], changed = set, true
    end
  end
  for k = 2, #list - 1 do
    local sign = not texts[k] and texts[k - 1] and texts[k + 1] and between(texts[k - 1], texts[k + 1])
    local gap = sign and list[k].t
    if (gap == "Space" or gap == "SoftBreak") and list[k - 1].t == "Str" and list[k + 1].t == "Str" then
      list[k], texts[k], changed = pandoc.Str(sign), sign, true
    end
  end
  return changed and list or nil
end

return { { Inlines = Inlines } }
