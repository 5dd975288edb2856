import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { transliterate } from "../../hub/transliterate.ts";

suite("text of any script in ASCII", () => {
  const rows: readonly (readonly [text: string, ascii: string])[] = [
    ["plain ASCII_text-1.0", "plain ascii_text-1.0"],
    ["Ünïcödé Łódź ẞ", "unicode lodz ss"],
    ["Ελλάδα Ξένος ξένος", "ellada ksenos xenos"],
    ["Єнакієве підʼїзд", "ienakiieve pid'yizd"],
    ["объект", "ob'ekt"],
    ["שלום", "shlvm"],
    ["مرحبا", "mrhb"],
    ["नमस्ते", "nmste"],
    ["สวัสดี", "swasdii"],
    ["გამარჯობა", "gamarjoba"],
    ["Հայաստան", "hayastan"],
    ["안녕하세요", "annyeonghaseyo"],
    ["ひらがな カタカナ つち", "hiragana katakana tsuchi"],
    ["北京", "bei jing "],
    ["ⓐⓩ⓪ ½ ™€", "az0 1/2 eu"],
    ["a\u0080b\u009fc", "abc"],
    ["deploy 🚀 now", "deploy  now"],
  ];
  for (const [text, ascii] of rows)
    test(`${text} is ${ascii}`, () => assert.equal(transliterate(text), ascii));
});
