-- Lets nothing in but text: whatever stands in a notebook or a record, the report holds no script, no raw HTML or
-- Typst, no attribute but those below, loads nothing, and links only to the web, to itself and to pages beside it.
local missing = {} -- signs that the PDF's fonts lack, each with its code point
local lenient = false -- appendix pages: say on the page what was left out, where the report stops

local function trim(attr)
  local keep = {}
  for name, value in pairs(attr.attributes) do
    if name == "width" and value:match("^[%d.]+%%$") or name == "alt" or name == "summary" then keep[name] = value end
  end
  if keep.alt then keep.alt = keep.alt:gsub("\\(%p)", "%1") end -- escaped as text is, which attributes are not
  return pandoc.Attr(attr.identifier:gsub("[^%w._\128-\255-]", "-"), attr.classes, keep)
end

local function image(img)
  local kind = img.src:lower():match("%.(%a+)$")
  local beside = (kind == "png" or kind == "svg") and not img.src:match("^%a[%w+.-]*:") and not img.src:match("^//")
  local there = beside and pcall(pandoc.mediabag.fetch, img.src)
  img.attr, img.title = trim(img.attr), ""
  img.classes = {} -- by one of class inline-svg pandoc would put the file's own markup into the page
  if there then return img end
  local problem = beside and "missing image " or "only PNG and SVG files beside the report can be shown, not "
  if not lenient then io.stderr:write("problem: " .. problem .. img.src .. "\n") os.exit(1) end
  return pandoc.Emph("[image not shown: " .. img.src .. "]")
end

local function link(a)
  local web = a.target:match("^https?://") or a.target:match("^mailto:")
  local page = not web and a.target:match("^[%w._-][%w._/-]*$") ~= nil
  a.attr, a.title = trim(a.attr), ""
  if web or a.target:match("^#") or (page and FORMAT ~= "typst") then return a end
  return a.content
end

local function spell(x) x.text = x.text:gsub(utf8.charpattern, missing) return x end

local function element(x) x.attr = trim(x.attr) return x.text and spell(x) or x end
local function nothing() return {} end

return {
  { Meta = function(meta)
    lenient = meta.lenient ~= nil
    local first = pandoc.List {}
    for _, code in utf8.codes(meta.missing or "") do
      local name = ("U+%04X"):format(code)
      missing[utf8.char(code)] = name
      if #first < 6 then first:insert(name) end
    end
    if #first > 0 then meta.missing = table.concat(first, ", ") end
    return meta
  end },
  { RawBlock = nothing, RawInline = nothing, Image = image, Link = link,
    Header = element, Div = element, Span = element, Code = element, CodeBlock = element, Table = element,
    Figure = element, TableHead = element, TableFoot = element, Row = element, Cell = element },
  { Pandoc = function(doc) return next(missing) and doc:walk { Str = spell } or nil end },
}
